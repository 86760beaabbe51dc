with source as (

    select * from {{ source('hubspot', 'tasks') }}

),

renamed as (

    select

        ---------- ids
        id as task_id,
        hubspot_owner_id as owner_id,
        {{ first_id('company_ids') }} as company_id,
        {{ first_id('contact_ids') }} as contact_id,
        {{ first_id('deal_ids') }} as deal_id,

        ---------- text
        hs_task_subject as title,
        upper(hs_task_status) as status,
        lower(request_department) as request_department,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        hs_timestamp as due_at,
        hs_task_completion_date as completed_at,
        hs_createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'tasks') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
