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
        arg_min(wecom_events.record_ref, (wecom_events.occurred_at, wecom_events.record_ref)) as record_ref
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

outcomes as (

    select * from {{ ref('ref_activity_outcome') }}
    where source = 'hubspot'

),

-- what the CRM's four kinds of engagement differ in
engagements as (

    select
        calls.*,
        'call:' || calls.call_id as activity_id,
        'call' as activity_type,
        calls.title as summary,
        coalesce(outcomes.outcome, calls.disposition) as outcome,
        outcomes.is_customer_contact
    from calls
    left join outcomes
        on
            outcomes.record_kind = 'call'
            and lower(coalesce(calls.disposition, 'unstated')) = outcomes.raw_outcome
            and {{ holds_on('outcomes', local_date('calls.occurred_at')) }}

    union all by name

    select
        meetings.* exclude (outcome),  -- noqa: RF02
        'meeting:' || meetings.meeting_id as activity_id,
        case meetings.visit_type when 'onsite' then 'visit' else 'meeting' end as activity_type,
        'outbound' as direction,
        meetings.title as summary,
        coalesce(outcomes.outcome, meetings.outcome) as outcome,
        outcomes.is_customer_contact
    from meetings
    left join outcomes
        on
            outcomes.record_kind = 'meeting'
            and lower(coalesce(meetings.outcome, 'unstated')) = outcomes.raw_outcome
            and {{ holds_on('outcomes', local_date('meetings.occurred_at')) }}

    union all by name

    select
        *,
        'email:' || email_id as activity_id,
        'email' as activity_type,
        title as summary,
        true as is_customer_contact
    from emails

    union all by name

    select
        *,
        'note:' || note_id as activity_id,
        'note' as activity_type,
        body as summary,
        false as is_customer_contact
    from notes

),

-- what a source does not say is null
unioned as (

    select
        'hubspot' as source,
        activity_id,
        activity_type,
        company_id as party_source_key,
        contact_id as person_source_key,
        deal_id as opportunity_id,
        owner_id as owner_ref,
        occurred_at,
        direction,
        summary,
        outcome,
        is_customer_contact,
        evidence_kind,
        case when evidence_kind is not null then record_ref end as evidence_ref,
        record_ref
    from engagements
    where not is_archived

    union all by name

    select
        'wecom' as source,
        'add:' || external_user_id || ':' || user_id as activity_id,
        'wecom' as activity_type,
        external_user_id as party_source_key,
        external_user_id as person_source_key,
        user_id as owner_ref,
        added_at as occurred_at,
        'outbound' as direction,
        contact_name as summary,
        true as is_customer_contact,
        record_ref
    from friend_adds

    union all by name

    select
        'wecom' as source,
        'checkin:' || user_id || ':' || cast(epoch_ms(checked_in_at) as varchar) || ':' || checkin_type as activity_id,
        'checkin' as activity_type,
        user_id as owner_ref,
        checked_in_at as occurred_at,
        location_title as summary,
        false as is_customer_contact,
        case when has_photo or has_position then record_ref end as evidence_ref,
        record_ref
    from checkins

    union all by name

    select
        source,
        activity_id,
        case
            when lower(activity_type) in ('call', 'visit', 'meeting', 'email', 'note', 'wecom', 'checkin')
                then lower(activity_type)
            else 'note'
        end as activity_type,
        party_id as party_source_key,
        opportunity_id,
        owner_ref,
        occurred_at,
        summary,
        lower(activity_type) in ('call', 'visit', 'meeting', 'email', 'wecom') as is_customer_contact,
        evidence_kind,
        case when evidence_kind is not null then record_ref end as evidence_ref,
        record_ref
    from file_activities
    where occurred_at is not null

)

select * from unioned
