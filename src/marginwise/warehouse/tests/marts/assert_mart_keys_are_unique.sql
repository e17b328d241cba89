-- Each mart has one row per key, and no part of a key is missing. Of single customers those are asked that are made anew, and
-- their evidence where it lies: mart_decision_evidence shows the rows of two models.
{% set of_customers = ['int_acquired_margins_summed', 'int_assortment_margins_summed', 'mart_decision_variants'] %}
{% set keys = {
    'mart_margin_bridge': ['store_id', 'step_order'],
    'mart_daily_revenue': ['store_id', 'revenue_date'],
    'mart_channel_cohorts': ['store_id', 'cohort_month_date', 'channel_name'],
    'mart_campaign_cohorts': ['store_id', 'cohort_month_date', 'channel_name', 'campaign_name'],
    'mart_funnel_by_channel': ['store_id', 'period_kind', 'period_start_date', 'channel_name'],
    'mart_decision_units': ['store_id', 'unit_kind', 'unit_id'],
    'int_acquired_margins_summed': ['store_id', 'period', 'subject_key'],
    'int_assortment_margins_summed': ['store_id', 'period', 'unit_kind', 'unit_id', 'subject_key'],
    'mart_decision_variants': ['store_id', 'horizon_days', 'subject_key'],
    'mart_decision_variant_units': ['store_id', 'unit_kind', 'unit_id', 'touch_rule', 'horizon_days'],
} %}

{% for mart, columns in keys.items() -%}
{{ 'union all' if not loop.first }}
select '{{ mart }}' as mart, count(*) as row_count
from {{ rows_anew(mart) if mart in of_customers else ref(mart) }} as rows
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endfor %}
