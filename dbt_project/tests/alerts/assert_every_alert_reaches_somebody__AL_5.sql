select
    alerts.rule_code,
    alerts.subject_id
from {{ ref('fct_alert') }} as alerts
where
    len(alerts.recipient_rep_keys) = 0
    and exists (
        select 1
        from {{ ref('int_reps') }} as reps
        where
            reps.role in ('director', 'manager')
            and reps.is_active is distinct from false
    )
