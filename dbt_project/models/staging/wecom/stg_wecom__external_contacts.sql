with source as (

    select * from {{ source('wecom', 'external_contacts') }}

),

renamed as (

    select

        ---------- ids
        external_userid as external_user_id,
        userid as user_id,
        unionid as union_id,

        ---------- text
        name as contact_name,
        position,
        coalesce(corp_full_name, corp_name) as corp_name,
        remark,
        description,
        remark_corp_name,
        {{ first_id('remark_mobiles') }} as mobile,
        add_way,
        state,
        tag_id as tag_ids,
        type as contact_type,

        ---------- timestamps
        createtime as added_at,

        ---------- lineage
        {{ record_ref('wecom', 'external_contacts') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
