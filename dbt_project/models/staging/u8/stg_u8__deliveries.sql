with source as (

    select * from {{ source('u8', 'deliveries') }}

),

renamed as (

    select

        ---------- ids
        DLID as delivery_id,
        cDLCode as delivery_no,
        cSOCode as order_no,
        cCusCode as customer_code,

        ---------- dates
        dDate as delivered_date,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'deliveries') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
