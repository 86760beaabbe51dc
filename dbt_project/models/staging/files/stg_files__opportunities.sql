with source as (

    select * from {{ source('files', 'opportunities') }}

),

renamed as (

    select

        ---------- ids
        source,
        stream,
        opportunity_id,
        party_id,
        owner_ref,
        lead_id,

        ---------- text
        opportunity_name,
        product_line,
        pipeline,
        stage,
        currency,

        ---------- numerics
        cast(amount as decimal(18, 2)) as amount,

        ---------- timestamps
        created_at,
        stage_entered_at,
        closed_at,

        ---------- lineage
        source || '/' || stream || '/' || _key as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
