with source as (

    select * from {{ source('files', 'orders') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        order_id,
        order_no,
        party_id,
        owner_ref,
        opportunity_id,

        ---------- text
        currency,

        ---------- numerics
        cast(amount as decimal(18, 2)) as amount,

        ---------- dates
        ordered_date,
        promised_date,
        delivered_date,
        expected_payment_date,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
