with source as (

    select * from {{ source('wecom', 'approvals') }}

),

renamed as (

    select

        ---------- ids
        sp_no as approval_no,
        template_id,
        applyer_userid as user_id,
        applyer_partyid as department_id,
        {{ approval_field('商机编号') }} as deal_id,
        {{ approval_field('合同编号') }} as contract_no,

        ---------- text
        sp_name as template_name,
        case sp_status
            when 1 then 'pending'
            when 2 then 'passed'
            when 3 then 'rejected'
            when 4 then 'withdrawn'
            else 'other'
        end as status,
        {{ approval_field('客户名称') }} as customer_name,
        {{ approval_field('障碍类型') }} as barrier_label,
        {{ approval_field('处理说明') }} as handling_note,

        ---------- numerics
        try_cast({{ approval_field('报价金额') }} as decimal(18, 2)) as quoted_amount,

        ---------- timestamps
        apply_time as applied_at,
        case
            when sp_status in (2, 3) then to_timestamp(
                list_max(cast(json_extract(sp_record, '$[*].details[*].sptime') as bigint[]))
            )
        end as decided_at,

        ---------- lineage
        {{ record_ref('wecom', 'approvals') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed
