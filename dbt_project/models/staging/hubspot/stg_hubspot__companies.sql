with source as (

    select * from {{ source('hubspot', 'companies') }}

),

renamed as (

    select

        ---------- ids
        id as company_id,
        hubspot_owner_id as owner_id,
        hs_parent_company_id as parent_company_id,
        hs_merged_object_ids as merged_company_ids,

        ---------- text
        name as company_name,
        domain,
        tax_no,
        phone,
        province,
        city,
        address,
        industry,
        customer_tier as tier,
        annual_purchase_band,
        lifecyclestage as lifecycle_stage,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        createdate as created_at,
        hs_lastmodifieddate as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'companies') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
