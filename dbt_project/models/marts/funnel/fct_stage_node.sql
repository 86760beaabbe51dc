with nodes as (

    select * from {{ ref('int_nodes') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

measured as (

    select
        nodes.node_key,
        nodes.opportunity_key || '/' || nodes.visit_no as visit_key,
        nodes.opportunity_key,
        opportunities.rep_key,
        opportunities.team_key,
        opportunities.region,
        nodes.pipeline,
        nodes.stage,
        nodes.node_code,
        nodes.opened_at,
        nodes.closed_stage_at,
        nodes.completed_at,
        nodes.completed_at is not null as is_completed,
        {{ hours_between('nodes.opened_at', 'coalesce(nodes.completed_at, nodes.closed_stage_at, ' ~ as_of() ~ ')') }} as open_hours,
        nodes.evidence_ref,
        nodes.record_ref
    from nodes
    inner join opportunities on nodes.opportunity_key = opportunities.opportunity_key

)

select * from measured
