with nodes as (

    select * from {{ ref('int_nodes') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

ended as (

    select
        *,
        coalesce(completed_at, closed_stage_at, {{ as_of() }}) as open_until
    from nodes

),

measured as (

    select
        ended.node_key,
        ended.opportunity_key || '/' || ended.visit_no as visit_key,
        ended.opportunity_key,
        opportunities.rep_key,
        opportunities.team_key,
        opportunities.region,
        ended.pipeline,
        ended.stage,
        ended.node_code,
        ended.opened_at,
        ended.closed_stage_at,
        ended.completed_at,
        ended.completed_at is not null as is_completed,
        {{ hours_between('ended.opened_at', 'ended.open_until') }} as open_hours,
        ended.evidence_ref,
        ended.record_ref
    from ended
    inner join opportunities on ended.opportunity_key = opportunities.opportunity_key

)

select * from measured
