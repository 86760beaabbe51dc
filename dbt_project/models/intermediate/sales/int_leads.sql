with combined as (

    select * from {{ ref('int_lead_records') }}

),

lead_statuses as (

    select * from {{ ref('ref_lead_status') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

activities as (

    select * from {{ ref('int_activities') }}

),

first_opportunities as (

    select
        lead_key,
        arg_min(
            opportunity_key, (coalesce(created_at, timestamptz '9999-12-31 00:00:00+00'), opportunity_key)
        ) as opportunity_key
    from opportunities
    where lead_key is not null
    group by lead_key

),

decided as (

    select
        combined.*,
        opportunities.opportunity_key,
        case
            when opportunities.is_won or stated.outcome = 'won' then 'won'
            when
                opportunities.opportunity_key is not null
                or stated.outcome = 'converted'
                or statuses.outcome = 'converted'
                then 'converted'
            when stated.outcome = 'disqualified' or statuses.outcome = 'disqualified' then 'disqualified'
            else 'open'
        end as outcome,
        coalesce(
            combined.stated_decided_at,
            opportunities.created_at,
            case when statuses.outcome = 'disqualified' then combined.status_updated_at end
        ) as decided_at
    from combined
    left join first_opportunities on combined.lead_key = first_opportunities.lead_key
    left join opportunities
        on coalesce(first_opportunities.opportunity_key, combined.converted_opportunity_key) = opportunities.opportunity_key
    left join lead_statuses as stated
        on lower(replace(trim(combined.stated_outcome), ' ', '_')) = stated.raw_status
    left join lead_statuses as statuses
        on lower(replace(trim(combined.lead_status), ' ', '_')) = statuses.raw_status

),

-- a contact after the decision answers no lead; a decision that bears a day and no time is as late as the day's end
bounded as (

    select
        *,
        case
            when decided_at is null then timestamptz '9999-12-31 00:00:00+00'
            when decided_at = {{ local_midnight(local_date('decided_at')) }} then decided_at + interval 1 day
            else decided_at
        end as answerable_until
    from decided

),

-- LD-1, PH-1: a response is a contact that the rep made; the customer's own call or e-mail is none, whoever took it
contacts_made as (

    select
        customer_gid,
        person_gid,
        opportunity_key,
        rep_key,
        occurred_at,
        record_ref
    from activities
    where
        is_customer_contact
        and occurred_at <= {{ as_of() }}
        and direction is distinct from 'inbound'

),

responses as (

    select
        bounded.lead_key,
        contacts_made.occurred_at,
        contacts_made.record_ref
    from bounded
    inner join contacts_made
        on
            bounded.customer_gid = contacts_made.customer_gid
            and bounded.created_at <= contacts_made.occurred_at
            and bounded.answerable_until >= contacts_made.occurred_at
    where bounded.rep_key is null or bounded.rep_key = contacts_made.rep_key

    union all

    select
        bounded.lead_key,
        contacts_made.occurred_at,
        contacts_made.record_ref
    from bounded
    inner join contacts_made
        on
            bounded.person_gid = contacts_made.person_gid
            and bounded.created_at <= contacts_made.occurred_at
            and bounded.answerable_until >= contacts_made.occurred_at
    where bounded.rep_key is null or bounded.rep_key = contacts_made.rep_key

),

first_responses as (

    select
        lead_key,
        min(occurred_at) as first_response_at,
        arg_min(record_ref, (occurred_at, record_ref)) as response_ref
    from responses
    group by lead_key

),

leads as (

    select
        bounded.lead_key,
        bounded.source,
        bounded.lead_id,
        case when bounded.party_source_key is not null then bounded.party_source end as party_source,
        bounded.party_source_key,
        bounded.customer_gid,
        bounded.person_gid,
        bounded.rep_key,
        reps.team_key,
        coalesce(reps.region, bounded.form_region) as region,
        bounded.lead_source,
        bounded.created_at,
        bounded.assigned_at,
        case
            when bounded.stated_response_at <= bounded.answerable_until then bounded.stated_response_at
            else first_responses.first_response_at
        end as first_response_at,
        case
            when bounded.stated_response_at <= bounded.answerable_until then bounded.record_ref
            else first_responses.response_ref
        end as response_ref,
        bounded.outcome,
        bounded.decided_at,
        bounded.opportunity_key,
        bounded.record_ref
    from bounded
    left join reps on bounded.rep_key = reps.rep_key
    left join first_responses on bounded.lead_key = first_responses.lead_key

)

select * from leads
