-- SC-5: every known numerator is the sum of the evidence rows of its month, rep and item.
with evidence as (

    select
        period_month,
        rep_key,
        item,
        sum(numerator_value) as numerator,
        count(*) as n_evidence
    from {{ ref('fct_score_evidence') }}
    group by period_month, rep_key, item

)

select
    items.period_month,
    items.rep_key,
    items.item,
    items.numerator,
    evidence.numerator as evidence_numerator
from {{ ref('fct_score_item') }} as items
left join evidence using (period_month, rep_key, item)
where
    items.numerator is not null
    and (
        items.numerator <> coalesce(evidence.numerator, 0)
        or items.n_evidence <> coalesce(evidence.n_evidence, 0)
    )
