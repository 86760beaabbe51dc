with visits as (

    select * from {{ ref('int_stage_visits') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stages as (

    select * from {{ ref('ref_stage') }}

),

nodes as (

    select * from {{ ref('int_nodes') }}

),

workdays as (

    select * from {{ ref('dim_workday') }}

),

evidence as (

    select
        opportunity_key,
        visit_no,
        count(*) as n_required,
        count(*) filter (where completed_at <= coalesce(closed_stage_at, {{ as_of() }})) as n_completed
    from nodes
    group by opportunity_key, visit_no

),

measured as (

    select

        ---------- ids
        visits.opportunity_key || '/' || visits.visit_no as visit_key,
        visits.opportunity_key,
        visits.visit_no,
        opportunities.customer_gid,
        opportunities.rep_key,
        opportunities.team_key,

        ---------- text
        visits.pipeline,
        visits.stage,
        stages.stage_name,
        visits.outcome,
        visits.next_stage,
        opportunities.region,
        opportunities.product_line,

        ---------- numerics
        visits.position as stage_position,
        -- a won stage is where the journey ends: nothing dwells there
        case
            when visits.outcome = 'open' then greatest({{ hours_between('visits.entered_at', as_of()) }}, 0)
            when visits.outcome != 'won' then {{ hours_between('visits.entered_at', 'visits.exited_at') }}
        end as dwell_hours,
        -- working days that began after the entry, the day of the exit or of now included
        case
            when visits.outcome != 'won' then greatest(last_days.workday_no - first_days.workday_no, 0)
        end as dwell_workdays,
        coalesce(evidence.n_required, 0) as evidence_required,
        coalesce(evidence.n_completed, 0) as evidence_count,

        ---------- booleans
        visits.outcome = 'open' as is_open,
        visits.outcome in ('advanced', 'returned', 'lost') as is_ended,
        evidence.n_completed = evidence.n_required as evidence_ok,
        visits.is_derived,

        ---------- timestamps
        visits.entered_at,
        visits.exited_at,

        ---------- lineage
        visits.record_ref

    from visits
    inner join opportunities on visits.opportunity_key = opportunities.opportunity_key
    left join stages
        on
            visits.pipeline = stages.pipeline
            and visits.stage = stages.stage
            and {{ holds_on('stages', local_date('visits.entered_at')) }}
    left join workdays as first_days on {{ local_date('visits.entered_at') }} = first_days.calendar_date
    left join workdays as last_days
        on {{ local_date('coalesce(visits.exited_at, ' ~ as_of() ~ ')') }} = last_days.calendar_date
    left join evidence
        on
            visits.opportunity_key = evidence.opportunity_key
            and visits.visit_no = evidence.visit_no

)

select * from measured
