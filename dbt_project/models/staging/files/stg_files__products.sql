with source as (

    select * from {{ source('files', 'products') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        product_id,

        ---------- text
        product_name,
        product_line,
        currency,

        ---------- numerics
        standard_price,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
