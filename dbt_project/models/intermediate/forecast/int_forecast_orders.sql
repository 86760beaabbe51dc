with orders as (

    select * from {{ ref('int_orders') }}
    where ordered_date <= {{ local_date(as_of()) }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

link_share as (

    select {{ ratio('count(opportunity_key)', 'count(*)') }} as linked_share
    from orders

)

select
    orders.order_key,
    coalesce(orders.rep_key, 'unassigned') as rep_key,
    coalesce(orders.team_key, reps.team_key, 'unassigned') as team_key,
    coalesce(reps.region, 'unassigned') as region,
    orders.ordered_date,
    cast(date_trunc('month', orders.ordered_date) as date) as ordered_month,
    orders.amount_cny,
    orders.record_ref
from orders
cross join parameters
cross join link_share
left join reps on orders.rep_key = reps.rep_key
where orders.opportunity_key is null and link_share.linked_share >= parameters.min_order_link_share
