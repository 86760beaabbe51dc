with source as (

    select * from {{ source('wecom', 'users') }}

),

renamed as (

    select

        ---------- ids
        userid as user_id,
        main_department as department_id,

        ---------- text
        name as full_name,
        position,
        mobile,
        lower(trim(email)) as email,

        ---------- booleans
        status is null or status = '1' as is_active,
        coalesce(
            json_extract_string(
                is_leader_in_dept,
                '$[' || (list_position(json_extract_string(department, '$[*]'), main_department) - 1) || ']'
            ) in ('1', 'true'),
            false
        ) as is_leader,

        ---------- lineage
        {{ record_ref('wecom', 'users') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
