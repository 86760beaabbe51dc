with quotes as (

    select * from {{ ref('stg_u8__quotes') }}

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

priced as (

    select
        quotes.*,
        coalesce(currency_names.currency, quotes.currency_name, 'CNY') as currency
    from quotes
    left join currency_names on quotes.currency_name = currency_names.currency_name

),

resolved as (

    select
        'u8:' || priced.quote_id as quote_key,
        opportunities.opportunity_key,
        links.customer_gid,
        rep_crosswalk.rep_key,
        reps.team_key,
        priced.quoted_date,
        cast(priced.amount * rates.rate_to_cny as decimal(18, 2)) as amount_cny,
        cast(priced.standard_amount * rates.rate_to_cny as decimal(18, 2)) as standard_amount_cny,
        priced.record_ref
    from priced
    left join rates
        on
            priced.currency = rates.currency
            and priced.quoted_date >= rates.valid_from
            and priced.quoted_date < rates.valid_to
    left join links
        on
            links.source = 'u8'
            and priced.customer_code = links.source_key
    left join opportunities on 'hubspot:' || priced.deal_id = opportunities.opportunity_key
    left join rep_crosswalk
        on
            rep_crosswalk.source = 'u8'
            and priced.person_code = rep_crosswalk.rep_ref
    left join reps on rep_crosswalk.rep_key = reps.rep_key

)

select * from resolved
