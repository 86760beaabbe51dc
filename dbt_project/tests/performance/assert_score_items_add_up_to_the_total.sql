-- Effective weights of the known items sum to 1, and their points to the published total.
with item_sums as (

    select
        period_month,
        rep_key,
        scheme,
        sum(points) as points,
        sum(effective_weight) as effective_weight
    from {{ ref('fct_score_item') }}
    group by period_month, rep_key, scheme

)

select
    scores.period_month,
    scores.rep_key,
    scores.total,
    item_sums.points,
    item_sums.effective_weight
from {{ ref('fct_score') }} as scores
inner join item_sums using (period_month, rep_key, scheme)
where
    abs(scores.total - item_sums.points) > 0.001
    or abs(item_sums.effective_weight - 1) > 0.00001
