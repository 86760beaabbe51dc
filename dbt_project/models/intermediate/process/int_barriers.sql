with approvals as (

    select * from {{ ref('stg_wecom__approvals') }}

),

barrier_types as (

    select * from {{ ref('ref_barrier_type') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

barriers as (

    select
        'wecom:' || approvals.approval_no as barrier_key,
        opportunities.opportunity_key,
        opportunities.customer_gid,
        rep_crosswalk.rep_key,
        coalesce(barrier_types.barrier_type, approvals.barrier_label) as barrier_type,
        approvals.applied_at as declared_at,
        case when approvals.status = 'passed' then coalesce(approvals.decided_at, approvals.applied_at) end as verified_at,
        approvals.status = 'passed' as is_verified,
        approvals.record_ref
    from approvals
    left join barrier_types on approvals.barrier_label = barrier_types.barrier_label
    left join opportunities on 'hubspot:' || approvals.deal_id = opportunities.opportunity_key
    left join rep_crosswalk
        on
            rep_crosswalk.source = 'wecom'
            and approvals.user_id = rep_crosswalk.rep_ref
    where approvals.template_name = '障碍解决核实' and approvals.status != 'withdrawn'

)

select * from barriers
