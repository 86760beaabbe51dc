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

-- the nodes that a stage had when it was entered
visit_nodes as (

    select
        visits.*,
        stage_nodes.node_code,
        stage_nodes.accepted_kinds,
        stage_nodes.approval_template,
        stage_nodes.is_mandatory
    from visits
    inner join stage_nodes
        on
            visits.pipeline = stage_nodes.pipeline
            and visits.stage = stage_nodes.stage
            and {{ holds_on('stage_nodes', local_date('visits.entered_at')) }}
    where stage_nodes.is_mandatory

),

node_kinds as (

    select
        opportunity_key,
        visit_no,
        node_code,
        unnest(string_split(accepted_kinds, '|')) as evidence_kind
    from visit_nodes

),

proofs as (

    select
        node_kinds.opportunity_key,
        node_kinds.visit_no,
        node_kinds.node_code,
        activities.occurred_at as proven_at,
        activities.record_ref as evidence_ref
    from node_kinds
    inner join activities
        on
            node_kinds.opportunity_key = activities.opportunity_key
            and node_kinds.evidence_kind = activities.evidence_kind

    union all

    -- ST-9: a passed approval of the node's template proves it as well
    select
        visit_nodes.opportunity_key,
        visit_nodes.visit_no,
        visit_nodes.node_code,
        coalesce(approvals.decided_at, approvals.applied_at) as proven_at,
        approvals.record_ref as evidence_ref
    from visit_nodes
    inner join approvals
        on
            visit_nodes.approval_template = approvals.template_name
            and visit_nodes.opportunity_key = 'hubspot:' || approvals.deal_id
            and approvals.status = 'passed'

),

first_proofs as (

    select
        opportunity_key,
        visit_no,
        node_code,
        min(proven_at) as proven_at,
        arg_min(evidence_ref, (proven_at, evidence_ref)) as evidence_ref
    from proofs
    where proven_at <= {{ as_of() }}
    group by opportunity_key, visit_no, node_code

),

nodes as (

    select
        visit_nodes.opportunity_key || '/' || visit_nodes.visit_no || '/' || visit_nodes.node_code as node_key,
        visit_nodes.opportunity_key,
        visit_nodes.visit_no,
        visit_nodes.pipeline,
        visit_nodes.stage,
        visit_nodes.node_code,
        visit_nodes.is_mandatory,
        visit_nodes.entered_at as opened_at,
        case when visit_nodes.outcome not in ('open', 'won') then visit_nodes.exited_at end as closed_stage_at,
        visit_nodes.outcome as visit_outcome,
        -- evidence that was there before the stage completes the node as it opens
        case
            when first_proofs.proven_at is not null then greatest(first_proofs.proven_at, visit_nodes.entered_at)
        end as completed_at,
        first_proofs.evidence_ref,
        visit_nodes.record_ref
    from visit_nodes
    left join first_proofs
        on
            visit_nodes.opportunity_key = first_proofs.opportunity_key
            and visit_nodes.visit_no = first_proofs.visit_no
            and visit_nodes.node_code = first_proofs.node_code

)

select * from nodes
