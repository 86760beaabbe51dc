with calls as (

    select * from {{ ref('stg_hubspot__calls') }}

),

meetings as (

    select * from {{ ref('stg_hubspot__meetings') }}

),

emails as (

    select * from {{ ref('stg_hubspot__emails') }}

),

notes as (

    select * from {{ ref('stg_hubspot__notes') }}

),

contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

wecom_relations as (

    select * from {{ ref('stg_wecom__external_contacts') }}

),

wecom_events as (

    select * from {{ ref('stg_wecom__events') }}

),

checkins as (

    select * from {{ ref('stg_wecom__checkins') }}

),

file_activities as (

    select * from {{ ref('stg_files__activities') }}

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

-- a relation that was deleted since is known from its callback only
friend_adds as (

    select
        external_user_id,
        user_id,
        added_at,
        contact_name,
        record_ref
    from wecom_relations
    where added_at is not null

    union all

    select
        wecom_events.external_user_id,
        wecom_events.user_id,
        min(wecom_events.occurred_at) as added_at,
        null as contact_name,
        arg_min(wecom_events.record_ref, wecom_events.occurred_at) as record_ref
    from wecom_events
    left join wecom_relations
        on
            wecom_events.external_user_id = wecom_relations.external_user_id
            and wecom_events.user_id = wecom_relations.user_id
    where
        wecom_events.change_type = 'add_external_contact'
        and wecom_relations.user_id is null
    group by wecom_events.external_user_id, wecom_events.user_id

),

unioned as (

    select
        'hubspot' as source,
        'call:' || call_id as activity_id,
        'call' as activity_type,
        company_id as party_source_key,
        contact_id as person_source_key,
        deal_id as opportunity_id,
        owner_id as owner_ref,
        occurred_at,
        direction,
        title as summary,
        true as is_customer_contact,
        null as evidence_kind,
        null as evidence_ref,
        record_ref
    from calls
    where not is_archived

    union all

    select
        'hubspot' as source,
        'meeting:' || meeting_id as activity_id,
        case visit_type when 'onsite' then 'visit' else 'meeting' end as activity_type,
        company_id as party_source_key,
        contact_id as person_source_key,
        deal_id as opportunity_id,
        owner_id as owner_ref,
        occurred_at,
        'outbound' as direction,
        title as summary,
        coalesce(outcome not in ('CANCELED', 'CANCELLED', 'NO_SHOW', 'RESCHEDULED'), true) as is_customer_contact,
        null as evidence_kind,
        null as evidence_ref,
        record_ref
    from meetings
    where not is_archived

    union all

    select
        'hubspot' as source,
        'email:' || email_id as activity_id,
        'email' as activity_type,
        company_id as party_source_key,
        contact_id as person_source_key,
        deal_id as opportunity_id,
        owner_id as owner_ref,
        occurred_at,
        direction,
        title as summary,
        true as is_customer_contact,
        null as evidence_kind,
        null as evidence_ref,
        record_ref
    from emails
    where not is_archived

    union all

    select
        'hubspot' as source,
        'note:' || note_id as activity_id,
        'note' as activity_type,
        company_id as party_source_key,
        contact_id as person_source_key,
        deal_id as opportunity_id,
        owner_id as owner_ref,
        occurred_at,
        null as direction,
        body as summary,
        false as is_customer_contact,
        evidence_kind,
        case when evidence_kind is not null then record_ref end as evidence_ref,
        record_ref
    from notes
    where not is_archived

    union all

    select
        'wecom' as source,
        'add:' || external_user_id || ':' || user_id as activity_id,
        'wecom' as activity_type,
        external_user_id as party_source_key,
        external_user_id as person_source_key,
        null as opportunity_id,
        user_id as owner_ref,
        added_at as occurred_at,
        'outbound' as direction,
        contact_name as summary,
        true as is_customer_contact,
        null as evidence_kind,
        null as evidence_ref,
        record_ref
    from friend_adds

    union all

    select
        'wecom' as source,
        'checkin:' || user_id || ':' || cast(epoch_ms(checked_in_at) as varchar) || ':' || checkin_type as activity_id,
        'checkin' as activity_type,
        null as party_source_key,
        null as person_source_key,
        null as opportunity_id,
        user_id as owner_ref,
        checked_in_at as occurred_at,
        null as direction,
        location_title as summary,
        false as is_customer_contact,
        null as evidence_kind,
        case when has_photo or has_position then record_ref end as evidence_ref,
        record_ref
    from checkins

    union all

    select
        source,
        activity_id,
        case
            when lower(activity_type) in ('call', 'visit', 'meeting', 'email', 'note', 'wecom', 'checkin')
                then lower(activity_type)
            else 'note'
        end as activity_type,
        party_id as party_source_key,
        null as person_source_key,
        opportunity_id,
        owner_ref,
        occurred_at,
        null as direction,
        summary,
        lower(activity_type) in ('call', 'visit', 'meeting', 'email', 'wecom') as is_customer_contact,
        evidence_kind,
        case when evidence_kind is not null then record_ref end as evidence_ref,
        record_ref
    from file_activities
    where occurred_at is not null

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

-- FU-20: the nearest check-in with a photo or a position, of the same rep
visit_evidence as (

    select
        visits.source,
        visits.activity_id,
        arg_min(
            arrivals.evidence_ref,
            abs(epoch(arrivals.occurred_at) - epoch(visits.occurred_at))
        ) as evidence_ref
    from resolved as visits
    inner join resolved as arrivals
        on
            visits.rep_key = arrivals.rep_key
            and arrivals.activity_type = 'checkin'
            and arrivals.evidence_ref is not null
            and abs({{ hours_between('visits.occurred_at', 'arrivals.occurred_at') }})
            <= {{ threshold('FU-20.evidence', 'upper_limit') }}
    where visits.activity_type = 'visit'
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
