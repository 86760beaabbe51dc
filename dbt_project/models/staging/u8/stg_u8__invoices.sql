with source as (

    select * from {{ source('u8', 'invoices') }}

),

renamed as (

    select

        ---------- ids
        SBVID as invoice_id,
        cSBVCode as invoice_no,
        cCusCode as customer_code,
        cPersonCode as person_code,
        cSOCode as order_no,

        ---------- text
        cexch_name as currency_name,

        ---------- numerics
        cast(iSum as decimal(18, 2)) as amount,

        ---------- dates
        dDate as invoiced_date,
        dGatheringDate as due_date,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'invoices') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
