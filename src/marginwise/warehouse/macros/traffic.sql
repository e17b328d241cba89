{# How traffic is named: one way to write what is not given, one way to compare channel names. #}

{# A text of a visit, order or spend row as int_channels_grouped knows it: trimmed, '' when not given. #}
{% macro traffic_label(column) -%} coalesce(trim({{ column }}), '') {%- endmacro %}

{# The paid flag of a visit as int_channels_grouped knows it. #}
{% macro traffic_paid(column) -%}
    case when {{ column }} then 'true' when not {{ column }} then 'false' else '' end
{%- endmacro %}

{# A channel name as it is compared: "paid_search", "Paid-Search" and "Paid Search" are one, so are "Affiliate" and "Affiliates". #}
{% macro channel_spelling(column) -%}
    rtrim(trim(replace(replace(replace(replace(lower({{ column }}), '_', ' '), '-', ' '), '(', ''), ')', '')), 's')
{%- endmacro %}

{# The campaign as dimensions and facts name it. #}
{% macro campaign_label(column) -%} coalesce(nullif(trim({{ column }}), ''), '(not set)') {%- endmacro %}
