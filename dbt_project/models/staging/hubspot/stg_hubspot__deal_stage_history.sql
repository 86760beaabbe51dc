with source as (

    select * from {{ source('hubspot', 'deal_stage_history') }}

),

renamed as (

    select

        ---------- ids
        deal_id,
        updated_by_user_id,

        ---------- text
        stage as raw_stage,
        source_type,

        ---------- timestamps
        entered_at,

        ---------- lineage
        {{ record_ref('hubspot', 'deal_stage_history') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
