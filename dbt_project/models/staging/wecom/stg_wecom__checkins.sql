with source as (

    select * from {{ source('wecom', 'checkins') }}

),

renamed as (

    select

        ---------- ids
        userid as user_id,
        deviceid as device_id,

        ---------- text
        checkin_type,
        groupname as group_name,
        exception_type,
        location_title,
        location_detail,
        notes,
        mediaids as media_ids,

        ---------- numerics
        lat / 1000000.0 as latitude,
        lng / 1000000.0 as longitude,

        ---------- booleans
        coalesce(json_array_length(mediaids), 0) > 0 as has_photo,
        coalesce(lat != 0 and lng != 0, false) as has_position,

        ---------- timestamps
        checkin_time as checked_in_at,

        ---------- lineage
        {{ record_ref('wecom', 'checkins') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
