with source as (

    select * from {{ source('files', 'receipts') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        receipt_id,
        invoice_id,
        party_id,

        ---------- text
        currency,

        ---------- numerics
        cast(amount as decimal(18, 2)) as amount,

        ---------- dates
        received_date,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
