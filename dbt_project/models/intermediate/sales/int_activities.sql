with unioned as (

    select * from {{ ref('int_activities_unioned') }}

),

contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

person_links as (

    select * from {{ ref('int_person_links') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

resolved as (

    select
        unioned.*,
        opportunities.opportunity_key,
        rep_crosswalk.rep_key,
        reps.team_key,
        person_links.person_gid,
        coalesce(links.customer_gid, employer_links.customer_gid, opportunities.customer_gid) as customer_gid
    from unioned
    left join opportunities on unioned.source || ':' || unioned.opportunity_id = opportunities.opportunity_key
    left join links
        on
            unioned.source = links.source
            and unioned.party_source_key = links.source_key
    left join contacts
        on
            unioned.source = 'hubspot'
            and unioned.person_source_key = contacts.contact_id
    left join links as employer_links
        on
            employer_links.source = 'hubspot'
            and contacts.company_id = employer_links.source_key
    left join person_links
        on
            unioned.source = person_links.source
            and unioned.person_source_key = person_links.source_key
    left join rep_crosswalk
        on
            unioned.source = rep_crosswalk.source
            and unioned.owner_ref = rep_crosswalk.rep_ref
    left join reps on rep_crosswalk.rep_key = reps.rep_key

),

visits as (

    select
        source,
        activity_id,
        rep_key,
        occurred_at,
        {{ threshold('FU-20.evidence', 'upper_limit', local_date('occurred_at')) }} as evidence_hours
    from resolved
    where activity_type = 'visit'

),

-- FU-20: the nearest check-in with a photo or a position, of the same rep
visit_evidence as (

    select
        visits.source,
        visits.activity_id,
        arg_min(
            arrivals.evidence_ref,
            (abs(epoch(arrivals.occurred_at) - epoch(visits.occurred_at)), arrivals.evidence_ref)
        ) as evidence_ref
    from visits
    inner join resolved as arrivals
        on
            visits.rep_key = arrivals.rep_key
            and arrivals.activity_type = 'checkin'
            and arrivals.evidence_ref is not null
            and abs({{ hours_between('visits.occurred_at', 'arrivals.occurred_at') }})
            <= visits.evidence_hours
    group by visits.source, visits.activity_id

),

activities as (

    select
        resolved.source || ':' || resolved.activity_id as activity_key,
        resolved.source,
        resolved.activity_type,
        resolved.customer_gid,
        resolved.person_gid,
        resolved.opportunity_key,
        resolved.rep_key,
        resolved.team_key,
        resolved.occurred_at,
        resolved.direction,
        resolved.summary,
        resolved.outcome,
        resolved.is_customer_contact,
        coalesce(resolved.evidence_ref, visit_evidence.evidence_ref) is not null as has_evidence,
        resolved.evidence_kind,
        coalesce(resolved.evidence_ref, visit_evidence.evidence_ref) as evidence_ref,
        resolved.record_ref
    from resolved
    left join visit_evidence
        on
            resolved.source = visit_evidence.source
            and resolved.activity_id = visit_evidence.activity_id

)

select * from activities
