-- Grain: one store, acquisition month and channel. Customers follow the channel that acquired them; `month_` amounts
-- are the month's own orders by last touch and its spend. Rates and store rates must be neither summed nor averaged.
{{ cohort_economics(['channel_name']) }}
