with source as (

    select * from {{ source('files', 'prices') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        product_id,
        price_list,
        valid_from,

        ---------- text
        currency,

        ---------- numerics
        unit_price,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
