-- AL-2, AL-3, AL-5: where ref_threshold states the same limit, both say the same.
select
    rules.rule_code,
    rules.threshold_value,
    thresholds.upper_limit
from {{ ref('ref_alert_rule') }} as rules
inner join {{ ref('ref_threshold') }} as thresholds on rules.rule_code = thresholds.threshold_code
where
    rules.valid_to is null
    and (rules.threshold_value <> thresholds.upper_limit or rules.threshold_unit <> thresholds.unit)
