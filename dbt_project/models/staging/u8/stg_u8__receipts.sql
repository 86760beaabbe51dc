with source as (

    select * from {{ source('u8', 'receipts') }}

),

renamed as (

    select

        ---------- ids
        iID as receipt_id,
        cVouchID as voucher_no,
        cVouchType as voucher_type,
        cDwCode as customer_code,
        cPerson as person_code,
        cSBVCode as invoice_no,
        cSOCode as order_no,

        ---------- text
        cexch_name as currency_name,

        ---------- numerics
        cast(iAmount as decimal(18, 2)) as amount,

        ---------- dates
        dVouchDate as received_date,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'receipts') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
