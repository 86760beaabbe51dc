with rules as (

    select * from {{ ref('ref_alert_rule') }}
    where valid_from <= {{ local_date(as_of()) }} and (valid_to is null or valid_to > {{ local_date(as_of()) }})

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

stage_events as (

    select * from {{ ref('int_stage_events') }}
    where entered_at <= {{ as_of() }}

),

contacts as (

    select * from {{ ref('int_activities') }}
    where is_customer_contact and occurred_at <= {{ as_of() }}

),

nodes as (

    select * from {{ ref('int_nodes') }}

),

leads as (

    select * from {{ ref('int_leads') }}

),

customers as (

    select * from {{ ref('dim_customer') }}

),

parties as (

    select * from {{ ref('int_parties_unioned') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

customer_owners as (

    select * from {{ ref('int_customer_owners') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

current_stages as (

    select
        opportunity_key,
        max(entered_at) as entered_at,
        max_by(stage, (entered_at, stage)) as stage,
        max_by(record_ref, (entered_at, stage)) as record_ref
    from stage_events
    group by opportunity_key

),

quotes_without_contact as (

    select
        'AL-1' as rule_code,
        opportunities.opportunity_key as subject_id,
        opportunities.opportunity_name as subject,
        opportunities.opportunity_key,
        opportunities.customer_gid,
        opportunities.rep_key,
        current_stages.entered_at as started_at,
        current_stages.record_ref as evidence_ref
    from opportunities
    inner join current_stages on opportunities.opportunity_key = current_stages.opportunity_key
    where
        current_stages.stage = 'quote'
        and not coalesce(opportunities.is_closed and coalesce(opportunities.closed_at <= {{ as_of() }}, true), false)
        and not exists (
            select 1
            from contacts
            where
                contacts.opportunity_key = opportunities.opportunity_key
                and contacts.occurred_at > current_stages.entered_at
        )
        and not exists (
            select 1
            from contacts
            where
                contacts.customer_gid = opportunities.customer_gid
                and contacts.occurred_at > current_stages.entered_at
        )

),

open_nodes as (

    select
        nodes.node_key as subject_id,
        concat_ws(' / ', opportunities.opportunity_name, nodes.node_code) as subject,
        nodes.opportunity_key,
        opportunities.customer_gid,
        opportunities.rep_key,
        nodes.opened_at as started_at,
        nodes.record_ref as evidence_ref
    from nodes
    inner join opportunities on nodes.opportunity_key = opportunities.opportunity_key
    where
        nodes.is_mandatory
        and (nodes.completed_at is null or nodes.completed_at > {{ as_of() }})
        and (nodes.closed_stage_at is null or nodes.closed_stage_at > {{ as_of() }})

),

unhandled_leads as (

    select
        'AL-5' as rule_code,
        leads.lead_key as subject_id,
        coalesce(customers.company_name, leads.lead_id) as subject,
        leads.opportunity_key,
        leads.customer_gid,
        leads.rep_key,
        leads.created_at as started_at,
        leads.record_ref as evidence_ref
    from leads
    left join customers on leads.customer_gid = customers.customer_gid
    where
        (leads.first_response_at is null or leads.first_response_at > {{ as_of() }})
        and (leads.decided_at is null or leads.decided_at > {{ as_of() }})
        and leads.opportunity_key is null

),

last_contacts as (

    select
        customer_gid,
        max(occurred_at) as last_contact_at,
        max_by(rep_key, (occurred_at, record_ref)) as rep_key,
        max_by(record_ref, (occurred_at, record_ref)) as record_ref
    from contacts
    where customer_gid is not null
    group by customer_gid

),

first_records as (

    select
        links.customer_gid,
        arg_min(
            parties.record_ref, (coalesce(parties.created_at, timestamptz '9999-12-31 00:00:00+00'), parties.record_ref)
        ) as record_ref
    from parties
    inner join links
        on
            parties.source = links.source
            and parties.source_key = links.source_key
    group by links.customer_gid

),

-- a tier A customer nobody ever contacted is silent since it was first seen
silent_customers as (

    select
        'AL-9' as rule_code,
        customers.customer_gid as subject_id,
        customers.company_name as subject,
        null as opportunity_key,
        customers.customer_gid,
        coalesce(customer_owners.rep_key, last_contacts.rep_key) as rep_key,
        coalesce(last_contacts.last_contact_at, customers.first_seen_at) as started_at,
        coalesce(last_contacts.record_ref, first_records.record_ref) as evidence_ref
    from customers
    left join last_contacts on customers.customer_gid = last_contacts.customer_gid
    left join first_records on customers.customer_gid = first_records.customer_gid
    left join customer_owners on customers.customer_gid = customer_owners.customer_gid
    where customers.tier = 'A'

),

candidates as (

    select * from quotes_without_contact
    union all
    select
        rules.rule_code,
        open_nodes.*
    from open_nodes inner join rules on rules.rule_code in ('AL-2', 'AL-3')
    union all
    select * from unhandled_leads
    union all
    select * from silent_customers

),

open_alerts as (

    select
        candidates.*,
        rules.* exclude (rule_code),  -- noqa: RF02
        candidates.started_at
        + to_seconds(
            cast(rules.threshold_value * case rules.threshold_unit when 'days' then 86400 else 3600 end as double)
        ) as opened_at,
        case rules.level when 'red' then 3 when 'yellow' then 2 else 1 end as severity
    from candidates
    inner join rules on candidates.rule_code = rules.rule_code

),

-- the highest level wins in notification; the lower alert on the same subject stays, silent
ranked as (

    select
        *,
        first_value(rule_code) over (partition by subject_id order by severity desc, rule_code asc) as winning_rule_code
    from open_alerts
    where opened_at < {{ as_of() }}

),

supervisors as (

    select
        reps.rep_key,
        min(managers.rep_key) as supervisor_rep_key
    from reps
    inner join reps as managers
        on
            reps.team_key = managers.team_key
            and managers.role = 'manager'
            and reps.rep_key <> managers.rep_key
    group by reps.rep_key

),

-- who is told where neither the rep nor the customer's owner leads to a person: the directors, without any the managers
leaders as (

    select
        coalesce(
            list(rep_key order by rep_key) filter (where role = 'director'),
            list(rep_key order by rep_key) filter (where role = 'manager'),
            cast([] as varchar[])
        ) as leader_rep_keys
    from reps
    where is_active is distinct from false

),

-- whose people are told: the rep's, where that leads to nobody the customer's owner's, else the leaders
resolved as (

    select
        ranked.*,
        list_filter(
            case ranked.recipient
                when 'rep' then [ranked.rep_key]
                when 'supervisor' then [supervisors.supervisor_rep_key]
                else [ranked.rep_key, supervisors.supervisor_rep_key]
            end,
            lambda recipient_key: recipient_key is not null  -- noqa: RF02
        ) as named_rep_keys,
        list_filter(
            case ranked.recipient
                when 'rep' then [customer_owners.rep_key]
                when 'supervisor' then [owner_supervisors.supervisor_rep_key]
                else [customer_owners.rep_key, owner_supervisors.supervisor_rep_key]
            end,
            lambda recipient_key: recipient_key is not null  -- noqa: RF02
        ) as owner_rep_keys,
        case
            when len(named_rep_keys) = 0 and len(owner_rep_keys) > 0 then customer_owners.rep_key
            else ranked.rep_key
        end as told_rep_key
    from ranked
    left join supervisors on ranked.rep_key = supervisors.rep_key
    left join customer_owners on ranked.customer_gid = customer_owners.customer_gid
    left join supervisors as owner_supervisors on customer_owners.rep_key = owner_supervisors.rep_key

),

final as (

    select
        ---------- ids
        resolved.rule_code,
        resolved.version as rule_version,
        resolved.subject_type,
        resolved.subject_id,
        resolved.subject,
        resolved.opportunity_key,
        resolved.customer_gid,

        ---------- notification
        resolved.level,
        resolved.channel,
        resolved.recipient as recipient_role,
        resolved.rep_key,
        supervisors.supervisor_rep_key,
        coalesce(managers.full_name, told_reps.manager_name) as supervisor_name,
        case
            when len(resolved.named_rep_keys) > 0 then resolved.named_rep_keys
            when len(resolved.owner_rep_keys) > 0 then resolved.owner_rep_keys
            else leaders.leader_rep_keys
        end as recipient_rep_keys,
        nullif(resolved.winning_rule_code, resolved.rule_code) as silenced_by_rule_code,
        replace(
            replace(
                replace(resolved.message, '{subject}', coalesce(resolved.subject, resolved.subject_id)),
                '{hours}', cast(cast(floor({{ hours_between('resolved.started_at', as_of()) }}) as bigint) as varchar)
            ),
            '{days}', cast(cast(floor({{ days_between('resolved.started_at', as_of()) }}) as bigint) as varchar)
        ) as message,
        replace(resolved.action, '{task_hours}', coalesce(cast(resolved.task_hours as varchar), '')) as action,

        ---------- times
        resolved.started_at,
        resolved.opened_at,
        resolved.opened_at + to_hours(resolved.task_hours) as task_due_at,
        cast({{ hours_between('resolved.opened_at', as_of()) }} as decimal(18, 2)) as open_hours,

        ---------- evidence
        resolved.evidence_ref
    from resolved
    cross join leaders
    left join reps as told_reps on resolved.told_rep_key = told_reps.rep_key
    left join supervisors on resolved.told_rep_key = supervisors.rep_key
    left join reps as managers on supervisors.supervisor_rep_key = managers.rep_key

)

select * from final
