with source as (

    select * from {{ source('wecom', 'tags') }}

),

renamed as (

    select

        ---------- ids
        id as tag_id,
        group_id,

        ---------- text
        name as tag_name,
        group_name,

        ---------- timestamps
        create_time as created_at,

        ---------- lineage
        {{ record_ref('wecom', 'tags') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
