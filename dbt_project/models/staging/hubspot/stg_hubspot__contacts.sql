with source as (

    select * from {{ source('hubspot', 'contacts') }}

),

renamed as (

    select

        ---------- ids
        id as contact_id,
        associatedcompanyid as company_id,
        hubspot_owner_id as owner_id,
        hs_merged_object_ids as merged_contact_ids,

        ---------- text
        nullif(trim(concat(coalesce(lastname, ''), coalesce(firstname, ''))), '') as full_name,
        mobilephone as mobile,
        phone,
        email,
        jobtitle as job_title,
        buying_role,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        createdate as created_at,
        lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'contacts') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
