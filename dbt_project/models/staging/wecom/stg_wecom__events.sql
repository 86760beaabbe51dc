with source as (

    select * from {{ source('wecom', 'events') }}

),

renamed as (

    select

        ---------- ids
        event_id,
        user_id,
        external_user_id,

        ---------- text
        event as event_type,
        change_type,

        ---------- timestamps
        create_time as occurred_at,

        ---------- lineage
        {{ record_ref('wecom', 'events') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
