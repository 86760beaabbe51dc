with rules as (

    select * from {{ ref('ref_alert_rule') }}
    where valid_from <= {{ local_date(as_of()) }} and (valid_to is null or valid_to > {{ local_date(as_of()) }})

),

candidates as (

    select * from {{ ref('int_alert_candidates') }}

),

customer_owners as (

    select * from {{ ref('int_customer_owners') }}

),

reps as (

    select * from {{ ref('int_reps') }}

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
