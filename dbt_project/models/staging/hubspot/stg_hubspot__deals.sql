with source as (

    select * from {{ source('hubspot', 'deals') }}

),

renamed as (

    select

        ---------- ids
        id as deal_id,
        lead_id,
        contract_no,
        hubspot_owner_id as owner_id,
        {{ first_id('company_ids') }} as company_id,
        {{ first_id('contact_ids') }} as contact_id,

        ---------- text
        dealname as deal_name,
        pipeline as raw_pipeline,
        dealstage as raw_stage,
        product_line,
        deal_currency_code as currency,
        rep_confidence,
        closed_lost_reason as lost_reason,

        ---------- numerics
        cast(amount as decimal(18, 2)) as amount,
        cast(standard_price as decimal(18, 2)) as standard_amount,

        ---------- booleans
        hs_is_closed as is_closed,
        hs_is_closed_won as is_won,
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        closedate as close_at,
        createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'deals') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
