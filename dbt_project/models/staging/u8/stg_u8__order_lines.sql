with source as (

    select * from {{ source('u8', 'order_lines') }}

),

renamed as (

    select

        ---------- ids
        iSOsID as order_line_id,
        ID as order_id,
        cInvCode as product_code,

        ---------- numerics
        iQuantity as quantity,
        iTaxUnitPrice as unit_price,
        cast(iSum as decimal(18, 2)) as line_amount,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'order_lines') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
