with source as (

    select * from {{ source('files', 'order_lines') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        order_line_id,
        order_id,
        product_id,

        ---------- numerics
        quantity,
        unit_price,
        discount_ratio,
        cast(line_amount as decimal(18, 2)) as line_amount,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
