-- SC-5: every known numerator is the sum of the evidence rows its evidence_ref opens.
with evidence as (

    select
        evidence_ref,
        sum(numerator_value) as numerator,
        count(*) as n_evidence
    from {{ ref('fct_score_evidence') }}
    group by evidence_ref

)

select
    items.period_month,
    items.rep_key,
    items.item,
    items.numerator,
    evidence.numerator as evidence_numerator
from {{ ref('fct_score_item') }} as items
left join evidence using (evidence_ref)
where
    items.numerator is not null
    and (
        items.numerator <> coalesce(evidence.numerator, 0)
        or items.n_evidence <> coalesce(evidence.n_evidence, 0)
    )
