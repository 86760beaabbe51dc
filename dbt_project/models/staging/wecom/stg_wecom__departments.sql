with source as (

    select * from {{ source('wecom', 'departments') }}

),

renamed as (

    select

        ---------- ids
        id as department_id,
        parentid as parent_id,

        ---------- text
        name as department_name,

        ---------- lineage
        {{ record_ref('wecom', 'departments') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
