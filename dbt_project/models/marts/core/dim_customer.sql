with golden_customers as (

    select * from {{ source('hub', 'golden_customers') }}

),

owners as (

    select * from {{ ref('int_customer_owners') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

activities as (

    select * from {{ ref('int_activities') }}

),

industry_segments as (

    select * from {{ ref('ref_industry_segment') }}

),

order_totals as (

    select
        customer_gid,
        min(ordered_date) as first_order_date,
        max(ordered_date) as last_order_date,
        count(*) as n_orders,
        sum(amount_cny) as ordered_amount_cny
    from orders
    where customer_gid is not null
    group by customer_gid

),

opportunity_totals as (

    select
        customer_gid,
        count(*) as n_opportunities,
        count(*) filter (where not is_closed) as n_open_opportunities
    from opportunities
    where customer_gid is not null
    group by customer_gid

),

contact_totals as (

    select
        customer_gid,
        count(*) as n_contacts,
        max(occurred_at) as last_contact_at
    from activities
    where customer_gid is not null and is_customer_contact and occurred_at <= {{ as_of() }}
    group by customer_gid

),

customers as (

    select

        ---------- ids
        golden_customers.customer_gid,
        golden_customers.parent_gid,
        owners.rep_key as owner_rep_key,
        reps.team_key,

        ---------- text
        golden_customers.company_name,
        golden_customers.tax_no,
        golden_customers.phone,
        golden_customers.email_domain,
        golden_customers.province,
        golden_customers.city,
        golden_customers.address,
        golden_customers.industry,
        golden_customers.tier,
        golden_customers.status,
        golden_customers.relation,
        reps.region,
        case
            when industry_segments.segment = 'government' then 'government'
            when
                order_totals.first_order_date
                <= {{ local_date(as_of()) }} - to_months(cast({{ threshold('EN-4.existing', 'upper_limit') }} as integer))
                then 'existing'
            when industry_segments.segment = 'new_industry' then 'new_industry'
            else 'other'
        end as segment,

        ---------- numerics
        cast(golden_customers.n_records as bigint) as n_records,
        cast(golden_customers.n_sources as bigint) as n_sources,
        coalesce(order_totals.n_orders, 0) as n_orders,
        coalesce(opportunity_totals.n_opportunities, 0) as n_opportunities,
        coalesce(opportunity_totals.n_open_opportunities, 0) as n_open_opportunities,
        coalesce(contact_totals.n_contacts, 0) as n_contacts,
        cast(order_totals.ordered_amount_cny as decimal(18, 2)) as ordered_amount_cny,

        ---------- dates
        order_totals.first_order_date,
        order_totals.last_order_date,

        ---------- timestamps
        contact_totals.last_contact_at,
        golden_customers.first_seen_at,
        golden_customers.updated_at

    from golden_customers
    left join owners on golden_customers.customer_gid = owners.customer_gid
    left join reps on owners.rep_key = reps.rep_key
    left join order_totals on golden_customers.customer_gid = order_totals.customer_gid
    left join opportunity_totals on golden_customers.customer_gid = opportunity_totals.customer_gid
    left join contact_totals on golden_customers.customer_gid = contact_totals.customer_gid
    left join industry_segments on golden_customers.industry = industry_segments.industry

)

select * from customers
