with source as (

    select * from {{ source('hubspot', 'owners') }}

),

renamed as (

    select

        ---------- ids
        id as owner_id,
        userId as user_id,

        ---------- text
        lower(trim(email)) as email,
        nullif(trim(concat(coalesce(lastName, ''), coalesce(firstName, ''))), '') as full_name,
        teams,

        ---------- booleans
        coalesce(archived, false) as is_archived,

        ---------- timestamps
        createdAt as created_at,
        updatedAt as updated_at,

        ---------- lineage
        {{ record_ref('hubspot', 'owners') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
