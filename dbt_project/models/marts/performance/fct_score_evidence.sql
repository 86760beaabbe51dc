with opportunities as (

    select * from {{ ref('int_opportunities') }}

),

receipts as (

    select * from {{ ref('int_receipts') }}

),

activities as (

    select * from {{ ref('int_activities') }}

),

quotes as (

    select * from {{ ref('int_quotes') }}

),

nps as (

    select * from {{ ref('int_nps') }}

),

tickets as (

    select * from {{ ref('int_tickets') }}

),

signed_contracts as (

    select
        rep_key,
        'new_contract_amount' as item,
        {{ local_date('closed_at') }} as evidence_date,
        record_ref,
        null as supporting_ref,
        amount_cny as numerator_value,
        null as denominator_value
    from opportunities
    where is_won

),

payments as (

    select
        rep_key,
        'received_payment' as item,
        received_date as evidence_date,
        record_ref,
        null as supporting_ref,
        amount_cny as numerator_value,
        null as denominator_value
    from receipts

),

-- FU-20: a visit counts only with its evidence
effective_visits as (

    select
        rep_key,
        'effective_visits' as item,
        {{ local_date('occurred_at') }} as evidence_date,
        record_ref,
        evidence_ref as supporting_ref,
        1 as numerator_value,
        null as denominator_value
    from activities
    where activity_type = 'visit' and has_evidence

),

proposals as (

    select
        rep_key,
        'proposals' as item,
        quoted_date as evidence_date,
        record_ref,
        null as supporting_ref,
        1 as numerator_value,
        null as denominator_value
    from quotes

),

promoter_answers as (

    select
        rep_key,
        'nps' as item,
        {{ local_date('responded_at') }} as evidence_date,
        record_ref,
        null as supporting_ref,
        case when score >= 9 then 1 when score >= 7 then 0 else -1 end as numerator_value,
        1 as denominator_value
    from nps
    where score is not null

),

complaints as (

    select
        rep_key,
        'complaint_rate' as item,
        {{ local_date('created_at') }} as evidence_date,
        record_ref,
        null as supporting_ref,
        1 as numerator_value,
        0 as denominator_value
    from tickets
    where category = 'complaint'

),

-- complaint rate is per customer served: one row, the first contact of the month, stands for each of them
served_customers as (

    select
        rep_key,
        'complaint_rate' as item,
        {{ local_date('min(occurred_at)') }} as evidence_date,
        min_by(record_ref, (occurred_at, record_ref)) as record_ref,
        null as supporting_ref,
        0 as numerator_value,
        1 as denominator_value
    from activities
    where is_customer_contact and customer_gid is not null and occurred_at <= {{ as_of() }}
    group by rep_key, customer_gid, {{ local_month('occurred_at') }}

),

all_evidence as (

    select * from signed_contracts
    union all
    select * from payments
    union all
    select * from effective_visits
    union all
    select * from proposals
    union all
    select * from promoter_answers
    union all
    select * from complaints
    union all
    select * from served_customers

),

known_at_as_of as (

    select
        cast(date_trunc('month', evidence_date) as date) as period_month,
        *
    from all_evidence
    where
        rep_key is not null
        and evidence_date <= {{ local_date(as_of()) }}

),

final as (

    select
        ---------- ids
        period_month,
        rep_key,
        item,
        record_ref,
        supporting_ref,

        ---------- numerics
        cast(numerator_value as decimal(18, 2)) as numerator_value,
        cast(denominator_value as decimal(18, 2)) as denominator_value,

        ---------- dates
        evidence_date
    from known_at_as_of

)

select * from final
