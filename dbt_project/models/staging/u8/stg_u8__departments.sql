with source as (

    select * from {{ source('u8', 'departments') }}

),

renamed as (

    select

        ---------- ids
        cDepCode as department_code,

        ---------- text
        cDepName as department_name,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'departments') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
