with visits as (

    select * from {{ ref('int_stage_visits') }}

),

stage_nodes as (

    select * from {{ ref('ref_stage_node') }}

),

activities as (

    select * from {{ ref('int_activities') }}

),

approvals as (

    select * from {{ ref('stg_wecom__approvals') }}

),

node_kinds as (

    select
        pipeline,
        stage,
        node_code,
        unnest(string_split(accepted_kinds, '|')) as evidence_kind
    from stage_nodes

),

proofs as (

    select
        visits.opportunity_key,
        visits.visit_no,
        node_kinds.node_code,
        activities.occurred_at as proven_at,
        activities.record_ref as evidence_ref
    from visits
    inner join node_kinds
        on
            visits.pipeline = node_kinds.pipeline
            and visits.stage = node_kinds.stage
    inner join activities
        on
            visits.opportunity_key = activities.opportunity_key
            and node_kinds.evidence_kind = activities.evidence_kind

    union all

    -- ST-9: a passed approval of the node's template proves it as well
    select
        visits.opportunity_key,
        visits.visit_no,
        stage_nodes.node_code,
        coalesce(approvals.decided_at, approvals.applied_at) as proven_at,
        approvals.record_ref as evidence_ref
    from visits
    inner join stage_nodes
        on
            visits.pipeline = stage_nodes.pipeline
            and visits.stage = stage_nodes.stage
    inner join approvals
        on
            stage_nodes.approval_template = approvals.template_name
            and visits.opportunity_key = 'hubspot:' || approvals.deal_id
            and approvals.status = 'passed'

),

first_proofs as (

    select
        opportunity_key,
        visit_no,
        node_code,
        min(proven_at) as proven_at,
        arg_min(evidence_ref, proven_at) as evidence_ref
    from proofs
    where proven_at <= {{ as_of() }}
    group by opportunity_key, visit_no, node_code

),

nodes as (

    select
        visits.opportunity_key || '/' || visits.visit_no || '/' || stage_nodes.node_code as node_key,
        visits.opportunity_key,
        visits.visit_no,
        visits.pipeline,
        visits.stage,
        stage_nodes.node_code,
        stage_nodes.is_mandatory,
        visits.entered_at as opened_at,
        case when visits.outcome not in ('open', 'won') then visits.exited_at end as closed_stage_at,
        visits.outcome as visit_outcome,
        -- evidence that was there before the stage completes the node as it opens
        case
            when first_proofs.proven_at is not null then greatest(first_proofs.proven_at, visits.entered_at)
        end as completed_at,
        first_proofs.evidence_ref,
        visits.record_ref
    from visits
    inner join stage_nodes
        on
            visits.pipeline = stage_nodes.pipeline
            and visits.stage = stage_nodes.stage
    left join first_proofs
        on
            visits.opportunity_key = first_proofs.opportunity_key
            and visits.visit_no = first_proofs.visit_no
            and stage_nodes.node_code = first_proofs.node_code
    where stage_nodes.is_mandatory

)

select * from nodes
