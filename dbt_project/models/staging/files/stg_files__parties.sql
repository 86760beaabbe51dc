with source as (

    select * from {{ source('files', 'parties') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        party_id,
        parent_party_id,
        owner_ref,

        ---------- text
        company_name,
        tax_no,
        contact_name,
        mobile,
        phone,
        email,
        domain,
        province,
        city,
        address,
        industry,
        tier,
        parent_name,

        ---------- timestamps
        created_at,
        updated_at,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
