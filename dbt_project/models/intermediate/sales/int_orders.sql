with erp_orders as (

    select * from {{ ref('stg_u8__orders') }}

),

erp_lines as (

    select * from {{ ref('stg_u8__order_lines') }}

),

deliveries as (

    select * from {{ ref('stg_u8__deliveries') }}

),

file_orders as (

    select * from {{ ref('stg_files__orders') }}

),

file_lines as (

    select * from {{ ref('stg_files__order_lines') }}

),

currency_names as (

    select * from {{ ref('ref_currency_name') }}

),

rates as (

    select * from {{ ref('int_exchange_rates') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

erp_amounts as (

    select
        order_id,
        sum(line_amount) as amount
    from erp_lines
    group by order_id

),

-- an order is delivered when its last delivery is
last_deliveries as (

    select
        order_no,
        max(delivered_date) as delivered_date
    from deliveries
    group by order_no

),

file_amounts as (

    select
        source,
        order_id,
        sum(line_amount) as amount
    from file_lines
    group by source, order_id

),

unioned as (

    select
        'u8' as source,
        erp_orders.order_id,
        erp_orders.order_no,
        erp_orders.customer_code as party_source_key,
        'hubspot:' || erp_orders.deal_id as stated_opportunity_key,
        erp_orders.person_code as owner_ref,
        erp_orders.ordered_date,
        erp_orders.promised_date,
        last_deliveries.delivered_date,
        erp_orders.expected_payment_date,
        erp_amounts.amount,
        coalesce(currency_names.currency, erp_orders.currency_name, 'CNY') as currency,
        erp_orders.exchange_rate as stated_rate,
        erp_orders.contract_no,
        erp_orders.record_ref
    from erp_orders
    left join erp_amounts on erp_orders.order_id = erp_amounts.order_id
    left join last_deliveries on erp_orders.order_no = last_deliveries.order_no
    left join currency_names on erp_orders.currency_name = currency_names.currency_name

    union all

    select
        file_orders.source,
        file_orders.order_id,
        coalesce(file_orders.order_no, file_orders.order_id) as order_no,
        file_orders.party_id as party_source_key,
        file_orders.source || ':' || file_orders.opportunity_id as stated_opportunity_key,
        file_orders.owner_ref,
        file_orders.ordered_date,
        file_orders.promised_date,
        file_orders.delivered_date,
        file_orders.expected_payment_date,
        coalesce(file_orders.amount, file_amounts.amount) as amount,
        coalesce(file_orders.currency, 'CNY') as currency,
        null as stated_rate,
        null as contract_no,
        file_orders.record_ref
    from file_orders
    left join file_amounts
        on
            file_orders.source = file_amounts.source
            and file_orders.order_id = file_amounts.order_id

),

resolved as (

    select
        unioned.source || ':' || unioned.order_id as order_key,
        unioned.source,
        unioned.order_no,
        links.customer_gid,
        opportunities.opportunity_key,
        coalesce(rep_crosswalk.rep_key, opportunities.rep_key) as rep_key,
        reps.team_key,
        unioned.ordered_date,
        unioned.promised_date,
        unioned.delivered_date,
        unioned.expected_payment_date,
        cast(unioned.amount as decimal(18, 2)) as amount,
        unioned.currency,
        cast(
            unioned.amount
            * case when unioned.currency = 'CNY' then 1 else coalesce(unioned.stated_rate, rates.rate_to_cny) end
            as decimal(18, 2)
        ) as amount_cny,
        unioned.contract_no,
        unioned.record_ref
    from unioned
    left join rates
        on
            unioned.currency = rates.currency
            and unioned.ordered_date >= rates.valid_from
            and unioned.ordered_date < rates.valid_to
    left join links
        on
            unioned.source = links.source
            and unioned.party_source_key = links.source_key
    left join opportunities on unioned.stated_opportunity_key = opportunities.opportunity_key
    left join rep_crosswalk
        on
            unioned.source = rep_crosswalk.source
            and unioned.owner_ref = rep_crosswalk.rep_ref
    left join reps on coalesce(rep_crosswalk.rep_key, opportunities.rep_key) = reps.rep_key

)

select * from resolved
