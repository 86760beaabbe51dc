-- ST-1: a stage that ref_stage_map does not name would silently leave the funnel
with stage_events as (

    select * from {{ ref('int_stage_events') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stages as (

    select * from {{ ref('ref_stage') }}

)

select
    stage_events.opportunity_key,
    opportunities.pipeline,
    stage_events.stage,
    stage_events.record_ref
from stage_events
inner join opportunities on stage_events.opportunity_key = opportunities.opportunity_key
left join stages
    on
        opportunities.pipeline = stages.pipeline
        and stage_events.stage = stages.stage
        and {{ holds_on('stages', local_date('stage_events.entered_at')) }}
where stages.stage is null
