with source as (

    select * from {{ source('u8', 'stock') }}

),

renamed as (

    select

        ---------- ids
        AutoID as stock_id,
        cWhCode as warehouse_code,
        cInvCode as product_code,

        ---------- numerics
        iQuantity as quantity,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'stock') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
