-- Grain: one store, acquisition month, channel and campaign ('(not set)' where none is named). Customers follow the
-- campaign that acquired them. Rates and store rates must be neither summed nor averaged.
{{ cohort_economics(['channel_name', 'campaign_name']) }}
