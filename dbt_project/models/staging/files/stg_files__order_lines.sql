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
        -- money is rounded per line, so that an order's total is the sum of its lines to the cent
        cast(
            coalesce(line_amount, cast(quantity * unit_price as decimal(18, 4)) * (1 - coalesce(discount_ratio, 0)))
            as decimal(18, 2)
        ) as line_amount,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
