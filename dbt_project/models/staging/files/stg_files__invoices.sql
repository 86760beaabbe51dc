with source as (

    select * from {{ source('files', 'invoices') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        invoice_id,
        party_id,
        order_id,

        ---------- text
        currency,

        ---------- numerics
        cast(amount as decimal(18, 2)) as amount,

        ---------- booleans
        is_disputed,

        ---------- dates
        invoiced_date,
        due_date,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
